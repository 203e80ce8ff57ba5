"""The services of voxmesh: they share events and `services.runtime`, nothing else."""
