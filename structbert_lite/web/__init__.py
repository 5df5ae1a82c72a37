"""HTTP: routes, validation, errors. With app.py the only importer of flask."""
