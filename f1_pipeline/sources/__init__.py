"""Land facts as typed tables, by column name and never by position. It knows no warehouse and no scheduler."""
