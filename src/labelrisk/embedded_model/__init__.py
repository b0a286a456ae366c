"""The small model that needs no network: sentence vectors, and a transport that answers chat requests with them."""
