"""Push notifications to devices: Web Push, Firebase Cloud Messaging (FCM) and the Apple Push Notification service."""
