"""The services of voxmesh. They share nothing but events; see `services.runtime` for what is common."""
