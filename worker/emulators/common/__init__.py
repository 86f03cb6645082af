"""What both emulators share: serving on loopback, faults, switches, metering, holds, control routes."""
