"""What happened: the recorder through which everything is written, and the Merkle log it keeps."""
