"""Mail posted to webhooks and to Slack."""
