"""The errors SharePoint answers with: status, code and text (reference, section 6.5)."""

SP_EXCEPTION = "Microsoft.SharePoint.SPException"
BAD_QUERY = "-1, Microsoft.SharePoint.Client.InvalidClientQueryException"


class ODataError(Exception):
    """An error answer: HTTP status, `code` as `<hresult>, <.NET type>`, text, extra headers."""

    def __init__(self, status: int, code: str, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.headers = headers or {}


def bad_query(text: str) -> ODataError:
    return ODataError(400, BAD_QUERY, text)


def unknown_property(name: str, type_name: str) -> ODataError:
    return bad_query(
        f"The property '{name}' does not exist on type '{type_name}'. "
        "Make sure to only use property names that are defined by the type."
    )


def unknown_field(name: str) -> ODataError:
    return ODataError(400, f"-1, {SP_EXCEPTION}", f"The field or property '{name}' does not exist.")


def not_expanded(name: str) -> ODataError:
    return ODataError(
        400,
        f"-1, {SP_EXCEPTION}",
        f"The query to field '{name}' is not valid. The $select query string must specify the target fields "
        f"and the $expand query string must contains {name}.",
    )


def wrong_type(edm_type: str) -> ODataError:
    return bad_query(
        f"Cannot convert a primitive value to the expected type '{edm_type}'. See the inner exception for more details."
    )


def not_json() -> ODataError:
    return bad_query("Invalid JSON. A token was not recognized in the JSON content. A 'StartObject' node was expected.")


def no_type_name() -> ODataError:
    return bad_query(
        "An entry without a type name was found, but no expected type was specified. To allow entries without "
        "type information, the expected type must also be specified when the model is specified."
    )


def access_denied() -> ODataError:
    return ODataError(
        403,
        "-2147024891, System.UnauthorizedAccessException",
        "Access is denied. (Exception from HRESULT: 0x80070005 (E_ACCESSDENIED))",
    )


def no_such_list(title: str, site_url: str) -> ODataError:
    return ODataError(
        404, "-1, System.ArgumentException", f"List '{title}' does not exist at site with URL '{site_url}'."
    )


def no_such_list_id() -> ODataError:
    return ODataError(
        404,
        "-2130575322, Microsoft.SharePoint.SPException",
        "List does not exist. The page you selected contains a list that does not exist. It may have been "
        "deleted by another user.",
    )


def file_not_found() -> ODataError:
    return ODataError(404, "-2147024894, System.IO.FileNotFoundException", "File Not Found.")


def no_such_item() -> ODataError:
    return ODataError(
        404,
        "-2130575338, System.ArgumentException",
        "Item does not exist. It may have been deleted by another user.",
    )


def no_such_column(name: str) -> ODataError:
    return ODataError(
        400,
        "-2147024809, System.ArgumentException",
        f"Column '{name}' does not exist. It may have been deleted by another user.",
    )


def no_such_resource(path: str) -> ODataError:
    return ODataError(
        404,
        "-1, Microsoft.SharePoint.Client.ResourceNotFoundException",
        f"Cannot find resource for the request {path}.",
    )


def bad_argument(text: str) -> ODataError:
    return ODataError(400, "-2147024809, System.ArgumentException", text)


def no_such_view() -> ODataError:
    return ODataError(404, "-2147024809, System.ArgumentException", "The specified view is invalid.")


def etag_mismatch(sent: str, current: str) -> ODataError:
    return ODataError(
        412,
        "-1, Microsoft.SharePoint.Client.ClientServiceException",
        f"The request ETag value '{sent}' does not match the object's ETag value '{current}'.",
    )


def duplicate_list(status: int) -> ODataError:
    return ODataError(
        status,
        f"-2130575342, {SP_EXCEPTION}",
        "A list, survey, discussion board, or document library with the specified title already exists in this "
        "Web site. Please choose another title.",
    )


def duplicate_column(name: str) -> ODataError:
    return ODataError(
        500,
        f"-2130575262, {SP_EXCEPTION}",
        f"A duplicate field name '{name}' was found.",
    )


def duplicate_value(title: str, status: int) -> ODataError:
    return ODataError(
        status,
        "-2130575169, Microsoft.SharePoint.SPDuplicateValuesFoundException",
        "The list item could not be added or updated because duplicate values were found in the following "
        f"field(s) in the list: [{title}].",
    )


def validation_failed(text: str) -> ODataError:
    return ODataError(500, "-2130575162, Microsoft.SharePoint.SPListDataValidationException", text)


def column_validation_failed(text: str) -> ODataError:
    return ODataError(500, "-2130575163, Microsoft.SharePoint.SPFieldValidationException", text)


def over_threshold() -> ODataError:
    return ODataError(
        500,
        "-2147024860, Microsoft.SharePoint.SPQueryThrottledException",
        "The attempted operation is prohibited because it exceeds the list view threshold.",
    )


def too_many_lookups() -> ODataError:
    return ODataError(
        500,
        "-2147024860, Microsoft.SharePoint.SPQueryThrottledException",
        "The query cannot be completed because the number of lookup columns it contains exceeds the lookup "
        "column threshold.",
    )


def invalid_text(status: int) -> ODataError:
    return ODataError(
        status,
        "-2130575155, Microsoft.SharePoint.SPFieldValueException",
        "Invalid text value. A text field contains invalid data. Please check the value and try again.",
    )


def invalid_choice() -> ODataError:
    return ODataError(
        400,
        "-2130575155, Microsoft.SharePoint.SPFieldValueException",
        "Invalid choice value. A choice field contains invalid data. Please check the value and try again.",
    )


def invalid_url() -> ODataError:
    return ODataError(
        400,
        "-2130575155, Microsoft.SharePoint.SPFieldValueException",
        "Invalid URL value. A URL field contains invalid data. Please check the value and try again.",
    )


def invalid_lookup(title: str) -> ODataError:
    return ODataError(
        400,
        "-2130575155, Microsoft.SharePoint.SPInvalidLookupValuesException",
        f"The list item could not be added or updated because invalid lookup values were found in the following "
        f"field(s) in the list: [{title}].",
    )


def read_only(title: str) -> ODataError:
    return ODataError(400, f"-2147024809, {SP_EXCEPTION}", f"Field '{title}' is read-only and cannot be written.")


def cannot_index(text: str) -> ODataError:
    return ODataError(400, f"-2146232832, {SP_EXCEPTION}", text)


def unauthorized() -> ODataError:
    return ODataError(
        401,
        "",
        "Invalid issuer or signature.",
        {"WWW-Authenticate": 'Bearer realm="00000000-0000-0000-0000-000000000000"'},
    )
