"""What can be said of a message when somebody asks: each check a module of its own."""
