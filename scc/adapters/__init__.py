"""Real codes as subjects: tblite and PySCF, optional extras (``pip install '….[adapters]'``)."""
