"""Boots a disk image in an emulator and checks what a camera promises. Started by scripts/qemu."""
