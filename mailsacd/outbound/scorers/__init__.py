"""Programs outside that tell spam from other mail: how they are asked, and what they answer."""
