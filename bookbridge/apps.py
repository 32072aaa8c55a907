from django.contrib.admin.apps import AdminConfig as BaseAdminConfig


class AdminConfig(BaseAdminConfig):
    """Django's admin, with this project's site as the default."""

    default_site = "accounts.admin_site.AdminSite"
