"""Certificates on request: who asks for a CertificateSigningRequest is approved, gets it signed, and is forgotten.

Each step is a controller of its own: `approving` lets nodes have their client certificates, `signing` signs what is
approved with the cluster's authority, `cleaner` deletes requests that nobody needs any more. What they judge by is
pure: `request` reads what is asked, `signers` knows whom each signer signs for, `issuing` makes the certificate.
"""
