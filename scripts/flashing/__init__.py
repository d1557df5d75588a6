"""The parts of scripts/flash: the image and its map, the disks of a machine, talking."""
