"""The voxmesh command."""
