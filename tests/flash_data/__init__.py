"""What tests/flash.py flashes, and the machines that it does so on."""
