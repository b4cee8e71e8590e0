"""Notes as Markdown files: what a note looks like in a file, zips of such files written and read.

Writing is `archive_writer.zipped`, reading is `archive_reader.Upload`. Nothing here knows of the database or the
broker.
"""
