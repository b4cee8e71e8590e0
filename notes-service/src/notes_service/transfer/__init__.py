"""Notes as Markdown files: the format of a note in a file, and writing and reading zips of such files.

Writing is `archive_writer.zipped`, reading is `archive_reader.Upload`. Nothing here knows of the database or the
broker.
"""
