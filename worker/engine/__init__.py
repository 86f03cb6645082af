"""What happens over many invocations: which runs are due, one message at a time, resume, back-pressure."""
