"""Pictures over HTTP: how they come in, and how they are served."""

from typing import Any, ClassVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from bookbridge.api.errors import Problem, problem_response
from bookbridge.api.images import Shape, remade
from bookbridge.api.pictures import is_kept, kept
from bookbridge.api.responses import problem
from bookbridge.api.views import GenericAPIView, checked

TOO_LARGE = problem(413, "`too_large`: the file is larger than 5 MB.")


@csrf_exempt
@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponse:
    """One picture. Its address is as good as a permission, and its bytes never change."""
    try:
        if not is_kept(name):
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


class PictureSerializer(serializers.Serializer[Any]):
    """A picture to be shown."""

    file = serializers.FileField(
        help_text=_("JPEG, PNG or WebP, at most 5 MB and 40 megapixels; of several frames the first.")
    )

    def validate_file(self, file: Any) -> Any:
        """One that is not too large."""
        if file.size > settings.UPLOAD_LIMIT:
            raise Problem(413, "too_large", _("The file is larger than this server accepts."))
        return file


class PictureView(GenericAPIView):
    """The picture of one thing: PUT shows another one and answers the thing, DELETE shows none.

    A view that derives from it finds the thing as any other does, and says in `change` how it takes the name.
    """

    parser_classes = [MultiPartParser]
    http_method_names = ["put", "delete", "options"]
    folder: ClassVar[str]
    shape: ClassVar[Shape]

    def put(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """It is made anew, upright and without metadata; its address is a new one each time."""
        thing = self.get_object()
        data = remade(checked(PictureSerializer(data=request.data))["file"], self.shape)
        with kept(data, folder=self.folder, owner=thing.pk) as name:
            self.change(thing, name)
        return Response(self.get_serializer(thing).data)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Nothing happens where there is none."""
        self.change(self.get_object(), "")
        return Response(status=status.HTTP_204_NO_CONTENT)

    def change(self, thing: Any, name: str) -> None:
        """Have the thing show the picture of this name, or none."""
        raise NotImplementedError
