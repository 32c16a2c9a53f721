"""From scripts to a taxonomy: scene headings, the places they name, and who decided what."""
