"""The ordered migrations, one SQL file each."""
