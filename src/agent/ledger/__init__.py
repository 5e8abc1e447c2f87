"""What is true in the world: catalogue, stock, customers, orders, money, parcels, approvals. Rules: `commerce`."""
