"""HTTP itself: connections, requests and answers, within bounds."""
