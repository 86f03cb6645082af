"""Plans for people's eyes: text, Markdown, HTML. Pure; everything from outside is escaped."""
