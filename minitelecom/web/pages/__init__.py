"""The pages, one module a menu: each function reads a visit, asks the store, and answers with a template and its values."""
