"""Who a request comes from: accounts, sign-in, sessions."""
