"""Addresses of services, which may hold a user and a password: how they are shown, and told to SQLAlchemy.

Belongs here: text only, so that every room may ask. Neighbour: `warehouse.lake_address` knows those of lakes.
"""

from __future__ import annotations


def without_user(url: str) -> str:
    """Show an address without the user and password that may be in it.

    Parameters
    ----------
    url : str
        With a scheme, such as ``postgresql://f1:secret@db:5432/dagster``.

    Returns
    -------
    str
        Such as ``postgresql://db:5432/dagster``; parameters go as well, for they may hold a password too.
    """
    scheme, _, rest = url.partition("://")
    # cut before it is parsed: a password may have any of / ? # in it
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def with_driver(url: str) -> str:
    """Name the driver in the address of a PostgreSQL database, for SQLAlchemy, unless it names one."""
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)
