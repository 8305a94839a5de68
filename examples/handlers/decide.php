<?php
// A before handler in PHP: refuses test clients, cuts a high credit. Try it with: php -S 127.0.0.1:5000 decide.php
declare(strict_types=1);

const CREDIT_MAX = 1000;

/** Standard Webhooks: HMAC-SHA256 of `id.timestamp.body`; there may be two signatures while a secret is rotated. */
function is_signed(string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $sent = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!ctype_digit($sent) || abs(time() - (int) $sent) > 300) {
        return false;
    }
    $secret = base64_decode(substr((string) getenv('HOOKSWITCH_SECRET'), strlen('whsec_')));
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$sent.$body", $secret, true));
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $given) {
        if (hash_equals($expected, $given)) {
            return true;
        }
    }
    return false;
}

/** The decision: an empty array allows. */
function decide(array $payload): array
{
    if ($payload['event']['events_id'] !== 'clients.create') {
        return [];
    }
    $client = $payload['data'];
    if (str_starts_with($client['name'], 'Test')) {
        return ['verdict' => 'forbid', 'message' => 'test clients are not made here', 'code' => 'TEST', 'field' => 'name'];
    }
    if ($client['credit'] === null || $client['credit'] > CREDIT_MAX) {
        return ['data' => ['credit' => CREDIT_MAX], 'warnings' => ['credit was cut to ' . CREDIT_MAX]];
    }
    return [];
}

$body = (string) file_get_contents('php://input');
if (!is_signed($body)) {
    http_response_code(401);
    exit;
}
header('Content-Type: application/json');
echo json_encode((object) decide(json_decode($body, true, 64, JSON_THROW_ON_ERROR)));
