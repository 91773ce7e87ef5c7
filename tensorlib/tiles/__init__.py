"""What tiles can do, a file a subject: access, views, copies, arithmetic, reductions, fragments."""
