"""One reader a form; each turns decoded text into pictures and problems, and touches no file."""
