"""The official game, pure: rules as data, scoring, line-ups. It knows no database, scheduler or solver."""
