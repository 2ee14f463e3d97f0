"""What follows an error of the database."""
