"""What people and programs reach over HTTP: the same app in `serve` and on Azure Functions."""
