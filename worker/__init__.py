"""e-conomic to iGlobe CRM sync."""
