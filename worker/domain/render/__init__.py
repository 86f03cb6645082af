"""Plans for people and programs: text, Markdown, HTML, JSON. Pure; everything from outside is escaped."""
