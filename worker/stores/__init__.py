"""Where the engine keeps its work: a queue, leases and records, in one SQLite file or in an Azure storage account."""
