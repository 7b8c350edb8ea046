"""Series: tasks that come again, each occurrence a task of its own."""
