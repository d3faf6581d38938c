"""The report's sections: each turns the content into what its part of the page shows."""
