"""Files made to run code, to lead elsewhere, to end the process or to take its time and memory. None holds more than a
payload that makes an empty file in the folder of its case."""
