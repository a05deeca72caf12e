"""PostgreSQL: the pool, the private server, the schema, and one module a noun; all SQL of the product."""
