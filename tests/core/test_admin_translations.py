"""Every column and form field of the admin has a Portuguese label."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets, label_for_field
from django.test import RequestFactory
from django.utils.translation import override

from accounts.models import User

# Labels that are the same in both languages.
SAME_IN_BOTH = {"ID", "ISBN", "Isbn", "avatar", "total"}


def labels(model, page, language):
    request = RequestFactory().get("/")
    request.user = User(username="staffer", is_active=True, is_staff=True, is_superuser=True)
    with override(language):
        names = dict.fromkeys([*page.list_display, *flatten_fieldsets(page.get_fieldsets(request, model()))])
        fields = page.form.declared_fields
        shown = {
            str(model._meta.verbose_name),
            str(model._meta.verbose_name_plural),
            str(page.opts.app_config.verbose_name),
        }
        for name in names:
            label = fields[name].label if name in fields else label_for_field(name, model, page)
            shown.add(str(label))
    return shown


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model._meta.label)
def test_model_fields_have_portuguese_names(model):
    page = admin.site._registry[model]
    english, portuguese = labels(model, page, "en"), labels(model, page, "pt-br")
    assert len(english) >= 3
    assert english & portuguese - SAME_IN_BOTH == set()
