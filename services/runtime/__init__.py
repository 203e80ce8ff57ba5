"""What every service needs, written once: bus, delivery, artifacts, leases, settings, logs."""
