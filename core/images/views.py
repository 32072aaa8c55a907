"""Views that accept and serve images."""

from typing import Any, ClassVar

from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.exceptions import problem_response
from core.api.responses import problem_schema
from core.api.serializers import UploadField
from core.api.views import GenericAPIView, validate
from core.images.processing import ImageSpec, reencode_image
from core.images.storage import SMALLER_WIDTHS, get_full_name, store_image

TOO_LARGE = problem_schema(413, "`too_large`: the file is larger than 5 MB.")


@csrf_exempt
@require_safe
def serve_image(request: HttpRequest, name: str) -> HttpResponse:
    """Serve an image. Its URL is secret and its content never changes, so it needs no permission and can be cached."""
    try:
        if not get_full_name(name):
            raise FileNotFoundError
        with default_storage.open(name) as file:
            data = file.read()
    except FileNotFoundError:
        return problem_response(404, "not_found", **{"Cache-Control": "no-store"})
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Content-Disposition": "inline",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return HttpResponse(data, content_type="image/webp", headers=headers)


class ImageUploadSerializer(serializers.Serializer[Any]):
    """An uploaded image."""

    file = UploadField(help_text=_("JPEG, PNG or WebP, at most 5 MB and 40 megapixels; only the first frame is used."))


class ImageUploadView(GenericAPIView):
    """Upload or delete the image of an object.

    Subclasses define how to get the object and, in `set_image`, how to save the name of the image.
    """

    parser_classes = [MultiPartParser]
    http_method_names = ["put", "delete", "options"]
    upload_folder: ClassVar[str]
    image_spec: ClassVar[ImageSpec]

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Upload an image. It is stored as WebP without metadata, at a new URL each time.

        The URL ends in `.webp`. With `-64.webp` or `-256.webp` in place of that it is a copy of at most that width.
        """
        obj = self.get_object()
        self.require_current()
        file = validate(ImageUploadSerializer(data=request.data))["file"]
        data, smaller = reencode_image(file, self.image_spec, SMALLER_WIDTHS)
        with store_image(data, folder=self.upload_folder, owner_id=obj.pk, smaller=smaller) as name:
            self.set_image(obj, name)
        return Response(self.get_serializer(obj).data)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the image, if there is one."""
        self.set_image(self.get_object(), "")
        return Response(status=status.HTTP_204_NO_CONTENT)

    def set_image(self, obj: Any, name: str) -> None:
        """Set the image of the object by its name, or remove it if the name is empty."""
        raise NotImplementedError
