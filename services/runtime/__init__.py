"""What every service needs and is written once: bus, delivery, artifacts, leases, settings, logs."""
