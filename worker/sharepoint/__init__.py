"""The CRM's SharePoint site: sign-in, transport, reading, batched writing, binding, run list, provisioning."""
