"""Files of users: uploads, what kind of file it is, smaller copies of pictures."""
