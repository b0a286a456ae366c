"""Money: prices, caps, claims on calls before they are sent, and the ledger of what was spent."""
