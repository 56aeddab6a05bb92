"""What a spec means in numbers, for the API that checks it and the runner that trains it. numpy alone; imports nothing.

This is all of gradyard's own that trainers import (decision 0022).
"""
