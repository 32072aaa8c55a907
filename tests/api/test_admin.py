"""What every page of the admin has in common."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db

SEARCHED = [model._meta for model, page in admin.site._registry.items() if page.search_fields]


@pytest.mark.parametrize("meta", SEARCHED, ids=lambda meta: meta.label_lower)
def test_a_number_that_is_no_id_finds_nothing(staff, meta):
    client = Client()
    client.force_login(staff)
    for term in ("9" * 25, "9" * 5000, "٣", f"book: {'9' * 25}"):
        answer = client.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"), {"q": term})
        assert answer.status_code == 200, term
