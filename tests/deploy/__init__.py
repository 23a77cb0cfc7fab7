"""What is handed out to run the product: monitoring, containers, the topology as processes."""
