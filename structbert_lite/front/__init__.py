"""What stands in front of the application: connections, until a whole request is there and after it is answered."""
